CREATE TABLE users (id int PRIMARY KEY, fullName varchar(20), n int, picture blob);
CREATE TABLE posts (id int PRIMARY KEY, body text);
INSERT INTO users VALUES (1, 'Anna', 2, x'00');
