CREATE TABLE documents (id int PRIMARY KEY, doc json);
INSERT INTO documents VALUES (1, '{"b": [1, 2.50, null, true], "a": "\\u00e9\\ud83d\\ude00", "": {}}'), (2, '[]'), (3, 'null'), (4, NULL),
  (5, '12345678901234567890123456789.123456789'), (6, '"\\"quoted\\" \\\\ \\n"'), (7, '  {"spaced" : 1e3}  '),
  (8, '[1.7976931348623157e308, -0.0, 1E-7]'), (9, '"😀"');
