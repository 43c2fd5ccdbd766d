CREATE TABLE users (id int PRIMARY KEY, email varchar(50), age int, state varchar(10), amount decimal(10,2));
INSERT INTO users VALUES (1, 'anna@x.org', 30, 'b', 1.50), (2, NULL, NULL, NULL, NULL);
