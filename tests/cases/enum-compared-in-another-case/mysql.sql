CREATE TABLE c (id int PRIMARY KEY, e enum('Draft','Done') DEFAULT 'Draft', CHECK (e IN ('draft', 'DONE')));
INSERT INTO c VALUES (1, 'Draft'), (2, 'Done'), (3, NULL);
CREATE VIEW drafts AS SELECT id FROM c WHERE e = 'draft';
CREATE VIEW others AS SELECT id FROM c WHERE e IN ('Draft', 'nope');
