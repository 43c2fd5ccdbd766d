SET sql_mode = '';
CREATE TABLE events (id int PRIMARY KEY, starts_at datetime NOT NULL, day date, seen timestamp NULL);
INSERT INTO events VALUES (1, '2024-01-01 00:00:00', '2024-01-01', NULL), (2, '0000-00-00 00:00:00', NULL, NULL),
  (3, '0000-00-00 00:00:00', NULL, NULL), (4, '2024-01-01 00:00:00', '0000-00-00', NULL), (5, '0000-00-00', '2024-01-01', NULL),
  (7, '0000-00-00', NULL, '0000-00-00 00:00:00'), (9, '0000-00-00', NULL, NULL);
