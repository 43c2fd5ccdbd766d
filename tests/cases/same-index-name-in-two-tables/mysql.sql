CREATE TABLE cats (id int PRIMARY KEY, name varchar(20), KEY by_name (name), KEY dogs (id, name));
CREATE TABLE dogs (id int PRIMARY KEY, name varchar(20), UNIQUE KEY by_name (name));
CREATE TABLE by_name (id int PRIMARY KEY, name varchar(20), KEY by_name (name));
INSERT INTO cats VALUES (1, 'Tom');
INSERT INTO dogs VALUES (1, 'Rex');
INSERT INTO by_name VALUES (1, 'Max');
