CREATE TABLE flags (id int PRIMARY KEY, active tinyint(1));
INSERT INTO flags VALUES (1, 1), (2, 2), (3, 0), (4, -1), (5, NULL);
