CREATE TABLE votes (id int PRIMARY KEY, score tinyint(1), seen tinyint(1));
INSERT INTO votes VALUES (1, 1, 1), (2, 0, 0), (3, 2, 1), (4, -128, 0), (5, 127, NULL);
