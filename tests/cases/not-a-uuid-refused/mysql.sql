CREATE TABLE tokens (id int PRIMARY KEY, token varchar(40), raw varbinary(20));
INSERT INTO tokens VALUES (1, '00112233-4455-6677-8899-aabbccddeeff', x'00112233445566778899AABBCCDDEEFF'), (2, 'not-a-uuid', NULL),
  (3, '', x'00'), (4, NULL, NULL), (5, '00112233-4455-6677-8899-aabbccddeefg', x'');
