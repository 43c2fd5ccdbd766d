CREATE TABLE logs (id int PRIMARY KEY, at timestamp(3));
