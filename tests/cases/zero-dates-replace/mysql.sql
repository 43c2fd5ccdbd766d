SET sql_mode = '';
CREATE TABLE events (id int PRIMARY KEY, starts_at datetime(6) NOT NULL, day date NOT NULL, seen timestamp NOT NULL DEFAULT '0000-00-00 00:00:00');
INSERT INTO events VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00 00:00:00'), (2, '2024-02-03 04:05:06', '2024-02-03', '2024-02-03 04:05:06');
