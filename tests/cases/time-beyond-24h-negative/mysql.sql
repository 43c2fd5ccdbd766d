CREATE TABLE durations (id int PRIMARY KEY, t time, t6 time(6));
INSERT INTO durations VALUES (1, '838:59:59', '838:59:58.999999'), (2, '-838:59:59', '-838:59:58.999999'),
  (3, '00:00:00', '-00:00:00.000001'), (4, '-00:00:01', '24:00:00'), (5, '23:59:59', '12:34:56.789'), (6, NULL, NULL);
