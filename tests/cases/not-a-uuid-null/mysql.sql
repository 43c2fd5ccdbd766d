CREATE TABLE tokens (id int PRIMARY KEY, token varchar(40));
INSERT INTO tokens VALUES (1, '00112233-4455-6677-8899-aabbccddeeff'), (2, 'not-a-uuid'), (3, ''), (4, NULL);
