CREATE TABLE users (score double precision, born date, name text, id bigint PRIMARY KEY);
