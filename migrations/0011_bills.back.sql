drop schema bills cascade;
