/* @name makePartitions */
select events.make_partitions(:ahead!::integer) as "made!";

/* The oldest that the retention has done with; no name where there is none. */
/* @name dropPartition */
select events.drop_partition() as "dropped";
