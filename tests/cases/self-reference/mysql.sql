CREATE TABLE nodes (id int PRIMARY KEY, parent_id int, CONSTRAINT parent FOREIGN KEY (parent_id) REFERENCES nodes (id) ON DELETE CASCADE);
SET foreign_key_checks = 0;
INSERT INTO nodes VALUES (1, 3), (2, 1), (3, NULL), (4, 4);
SET foreign_key_checks = 1;
