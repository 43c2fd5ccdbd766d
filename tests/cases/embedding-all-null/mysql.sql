CREATE TABLE passages (id int PRIMARY KEY, embedding longtext);
INSERT INTO passages VALUES (1, NULL), (2, NULL);
