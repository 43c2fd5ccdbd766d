CREATE TABLE users (id int PRIMARY KEY, phone varchar(20) NOT NULL);
