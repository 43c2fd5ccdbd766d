CREATE TABLE users (id int PRIMARY KEY, name varchar(20));
INSERT INTO users VALUES (1, 'Anna'), (2, 'Bob');
