CREATE TABLE names (id int PRIMARY KEY, name varchar(10));
