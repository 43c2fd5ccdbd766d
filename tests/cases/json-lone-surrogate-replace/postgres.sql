CREATE TABLE documents (id int PRIMARY KEY, doc jsonb);
