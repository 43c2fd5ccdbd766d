CREATE TABLE users (id int PRIMARY KEY, fullname text, n date, picture text, needed int NOT NULL);
CREATE TABLE posts (id int PRIMARY KEY);
