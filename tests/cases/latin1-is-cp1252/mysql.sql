CREATE TABLE letters (id int PRIMARY KEY, word varchar(40), body text) CHARACTER SET latin1;
INSERT INTO letters VALUES (1, _latin1 x'80', _latin1 x'93716F7465649485'), (2, _latin1 x'E9DFFC', _latin1 x'8C9C8A9A8E9E9F'),
  (3, _latin1 x'818D8F909D', NULL), (4, '', 'plain');
