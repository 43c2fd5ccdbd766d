CREATE TABLE people (id int PRIMARY KEY, name varchar(50), city varchar(100), KEY by_name (name(10), city));
INSERT INTO people VALUES (1, 'Anna', 'Rome'), (2, NULL, NULL);
