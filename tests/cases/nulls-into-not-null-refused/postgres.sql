CREATE TABLE users (id int PRIMARY KEY, email varchar(20) NOT NULL, phone varchar(20) NOT NULL);
