CREATE TABLE users (id int PRIMARY KEY, age int CONSTRAINT old_enough CHECK (age >= 18));
