SET sql_mode = '';
CREATE TABLE events (id int PRIMARY KEY, starts_at datetime, ends_at datetime);
INSERT INTO events VALUES (1, '0000-00-00', '2024-01-01'), (2, '2024-01-01', '0000-00-00');
