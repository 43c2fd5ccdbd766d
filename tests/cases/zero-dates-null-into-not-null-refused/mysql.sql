SET sql_mode = '';
CREATE TABLE events (id int PRIMARY KEY, starts_at datetime NOT NULL);
INSERT INTO events VALUES (1, '2024-01-01'), (2, '0000-00-00');
