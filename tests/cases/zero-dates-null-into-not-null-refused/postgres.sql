CREATE TABLE events (id int PRIMARY KEY, starts_at timestamp NOT NULL);
