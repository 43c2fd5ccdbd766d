CREATE TABLE settings (id int PRIMARY KEY, data jsonb);
