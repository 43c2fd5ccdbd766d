CREATE TABLE users (id int PRIMARY KEY, phone varchar(20));
INSERT INTO users VALUES (1, '1'), (2, '');
