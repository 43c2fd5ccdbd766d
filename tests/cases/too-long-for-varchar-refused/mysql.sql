CREATE TABLE names (id int PRIMARY KEY, name varchar(50));
INSERT INTO names VALUES (1, '0123456789'), (2, '0123456789a'), (3, '😀😀😀😀😀😀😀😀😀😀'), (4, 'ééééééééééé'), (5, NULL),
  (6, '01234567890123456789');
