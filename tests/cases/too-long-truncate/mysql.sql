CREATE TABLE names (id int PRIMARY KEY, name varchar(50), code varchar(50));
INSERT INTO names VALUES (1, '0123456789', 'abc'), (2, '0123456789a', 'abc'), (3, '😀😀😀😀😀😀😀😀😀😀😀', 'abc'), (5, NULL, NULL);
