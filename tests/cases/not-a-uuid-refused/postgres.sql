CREATE TABLE tokens (id int PRIMARY KEY, token uuid, raw uuid);
