CREATE TABLE flags (id int PRIMARY KEY, active tinyint(1) NOT NULL DEFAULT 1, deleted boolean);
INSERT INTO flags VALUES (1, 1, 0), (2, 0, NULL), (3, TRUE, TRUE);
