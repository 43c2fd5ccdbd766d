CREATE TABLE codes (id int PRIMARY KEY, code char(5), label varchar(5));
INSERT INTO codes VALUES (1, 'ab', 'ab'), (2, 'ab   ', 'ab   '), (3, '', ''), (4, '  ab', '  ab'),
  (5, 'äöüß€', '😀😀😀😀😀'), (6, NULL, '     ');
