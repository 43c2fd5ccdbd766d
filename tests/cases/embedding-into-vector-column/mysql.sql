CREATE TABLE passages (id int PRIMARY KEY, body text, embedding longtext);
INSERT INTO passages VALUES (1, 'a', '[0.1, -2.5e-8, 3]'), (2, 'b', '{"0": 1, "1": 2, "2": 3.25}'), (3, 'c', NULL), (4, 'd', ' [1e-45,0.30000001192092896,16777217] ');
