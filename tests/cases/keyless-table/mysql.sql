CREATE TABLE log (at datetime, line text, n int);
INSERT INTO log VALUES (NULL, NULL, NULL), (NULL, NULL, NULL), ('2024-01-01', 'same', 1), ('2024-01-01', 'same', 1), ('2024-01-01', 'same', 1), ('2024-01-01', 'same', 1), ('2024-01-01', 'other', 2);
