CREATE TABLE users (id int PRIMARY KEY, email varchar(100) COLLATE utf8mb4_general_ci NOT NULL, UNIQUE KEY by_email (email));
INSERT INTO users VALUES (1, 'Anna@x.org'), (2, 'bob@x.org');
