CREATE TABLE names (id int PRIMARY KEY, name varchar(10), code char(3));
