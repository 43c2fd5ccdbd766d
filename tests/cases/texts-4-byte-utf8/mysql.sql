CREATE TABLE messages (id int PRIMARY KEY, short varchar(30), body text, long_body longtext) CHARACTER SET utf8mb4;
INSERT INTO messages VALUES
  (1, '😀👨‍👩‍👧‍👦', '𠜎𠜱𠝹', '🏳️‍🌈'), (2, 'tab\tnew\nline\rback\\slash', '\\N', '\\.'), (3, '', '', ''),
  (4, 'e\u0301', '\'"`', '\Z'), (5, NULL, NULL, NULL), (6, '   ', ' \n', 'x\b');
INSERT INTO messages VALUES (7, _utf8mb4 x'EFBBBF61', _utf8mb4 x'EFBFBF', _utf8mb4 x'F48FBFBF'),
  (8, _utf8mb4 x'7F', _utf8mb4 x'C280', REPEAT('é', 70000));
