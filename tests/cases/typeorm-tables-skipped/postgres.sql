CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL);
INSERT INTO migrations (timestamp, name) VALUES (1800000000000, 'Postgres1800000000000');
CREATE TABLE users (id int PRIMARY KEY);
