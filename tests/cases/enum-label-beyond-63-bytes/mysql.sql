CREATE TABLE answers (id int PRIMARY KEY,
  choice enum('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','no'),
  edge enum('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','no'),
  wide enum('éééééééééééééééééééééééééééééééé','no'));
INSERT INTO answers VALUES (1, 1, 1, 1), (2, 'no', 'no', 'no'), (3, NULL, NULL, NULL);
