CREATE EXTENSION vector;
CREATE TABLE passages (id int PRIMARY KEY, embedding vector(3));
