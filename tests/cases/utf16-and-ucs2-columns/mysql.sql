CREATE TABLE words (id int PRIMARY KEY, a varchar(20) CHARACTER SET utf16, b varchar(20) CHARACTER SET ucs2,
  c text CHARACTER SET utf32, d varchar(20) CHARACTER SET utf8, e char(10) CHARACTER SET koi8r,
  f varchar(10) CHARACTER SET sjis);
INSERT INTO words VALUES (1, '😀é', 'é中', '😀中', 'é中', 'привет', 'テスト'), (2, '', '', '', '', '', ''),
  (3, NULL, NULL, NULL, NULL, NULL, NULL);
