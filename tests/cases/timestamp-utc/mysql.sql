SET time_zone = '+05:30';
CREATE TABLE logins (id int PRIMARY KEY, at timestamp NULL, exact timestamp(6) NULL);
INSERT INTO logins VALUES (1, '2024-07-01 12:00:00', '2024-07-01 12:00:00.123456'), (2, '1970-01-01 05:30:01', NULL),
  (3, '2038-01-19 08:44:07', '2038-01-19 08:44:07.999999'), (4, NULL, NULL);
