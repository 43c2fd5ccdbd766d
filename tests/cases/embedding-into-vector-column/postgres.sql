CREATE EXTENSION vector;
CREATE TABLE passages (id int PRIMARY KEY, body text, embedding vector(3));
