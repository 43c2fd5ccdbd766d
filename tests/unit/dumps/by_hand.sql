create table country (code char(2) primary key, name nvarchar(40) not null unique key, iso integer not null);
CREATE TABLE IF NOT EXISTS country (code char(3));
CREATE TABLE thing (
  id integer auto_increment key, -- its number
  flag boolean not null default false, other bool default true, small int1 unsigned, medium middleint, large int8,
  d dec(5), n numeric(7, 2), f fixed, r real, p double precision, ff float(30), f4 float4,
  v character varying(30), c character, long_text long varchar, bytes long varbinary, nat national char varying(7),
  b bit, y year, doc json, t time(0), `quoted ``x` int,
  country char(2) references country (code) on delete cascade,
  word varchar(20) charset latin1 collate latin1_german1_ci null default "it's ""x""", /* a , comment ) */
  bin varchar(9) binary, only_collation varchar(5) collate utf8mb3_bin, ucs varchar(3) unicode,
  plus int default +5, day date default '2024-02-29', at datetime default now() on update now(),
  made timestamp default current_timestamp, price decimal(8, 2) zerofill check (`price` > 0),
  joined varchar(40) default 'a' 'b',
  twice int as (`small` * 2) persistent, unsigned_ int(5) unsigned zerofill,
  # the keys
  constraint unique (n), index (v, c desc), key by_v using btree (v(5)), fulltext (long_text), unique index u (d) comment 'u',
  key (iso_), key (country),
  foreign key (iso_) references country (code) on update set null, iso_ char(2), check (`m` > 0), m int,
  constraint positive check (`large` > 0)
) engine innodb, default character set utf8mb4 row_format dynamic comment 'by ''hand''' auto_increment 9;
create unique index by_flag on thing (flag, id);
CREATE INDEX by_day USING BTREE ON thing (day DESC);
ALTER TABLE thing ADD COLUMN first_ int FIRST, ADD behind varchar(3) AFTER id, ADD last_ text, MODIFY y smallint NOT NULL;
alter table country modify iso int unsigned not null auto_increment, add index (iso), auto_increment = 5;
CREATE TABLE same LIKE country;
create table dropped (a int);
drop table if exists dropped, never;
create table dropped (b int) charset binary;
create or replace view seen as select 1 as one;
