CREATE TABLE events (id int PRIMARY KEY, at datetime);
INSERT INTO events VALUES (1, '2024-07-01 12:00:00'), (2, NULL);
