CREATE TABLE events (id int PRIMARY KEY, at datetime(6), seen timestamp NULL);
SET time_zone = '+00:00';
INSERT INTO events VALUES (1, '2024-07-01 12:00:00.5', '2024-07-01 12:00:00'), (2, '2024-01-01 12:00:00', NULL),
  (3, '1900-01-01 00:00:00', NULL), (4, NULL, NULL), (5, '2024-03-31 01:59:59', NULL), (6, '2024-03-31 03:00:00', NULL);
