CREATE TABLE users (id int PRIMARY KEY, email varchar(20), phone varchar(20));
INSERT INTO users VALUES (1, 'a@x.org', '1'), (2, NULL, '2'), (3, '', '3'), (4, NULL, '4');
