import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.pulsar.PulsarStandaloneStarter;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.TransactionDB;
import org.rocksdb.TransactionDBOptions;
import org.rocksdb.WriteOptions;

/**
 * Pulsar's own start of everything in one process, with two things seen to before it. Arguments: the folder of the
 * metadata, then what PulsarStandaloneStarter takes.
 *
 * <p>It ends when whoever started it does: that one holds the other end of our standard input, and never writes to it.
 *
 * <p>A broker that was killed leaves its ephemeral entries in RocksDB. Pulsar removes them when it comes upon them,
 * which may be after the bookie has registered under the same name again. The bookie takes that for the loss of its
 * new registration, removes it and renews it, and is told of that removal again, without end and with nobody served.
 * So they are removed before anybody looks.
 */
public final class Standalone {
    /** An entry's header: two ints (its size, its format), four longs (version, owner, two times), ephemeral or not. */
    private static final int EPHEMERAL_AT = 4 + 4 + 8 + 8 + 8 + 8;

    private Standalone() {}

    public static void main(String[] args) throws Exception {
        endWithParent();
        Path metadata = Path.of(args[0]);
        if (Files.isDirectory(metadata)) removeEphemeralEntries(metadata);
        String[] rest = new String[args.length - 1];
        System.arraycopy(args, 1, rest, 0, rest.length);
        PulsarStandaloneStarter.main(rest);
    }

    private static void endWithParent() {
        Thread thread = new Thread(() -> {
            try {
                while (System.in.read() != -1) continue;
            } catch (IOException gone) {
                System.err.println("standard input: " + gone.getMessage());
            }
            Runtime.getRuntime().halt(1);
        }, "end-with-parent");
        thread.setDaemon(true);
        thread.start();
    }

    private static void removeEphemeralEntries(Path metadata) throws RocksDBException {
        RocksDB.loadLibrary();
        try (Options options = new Options();
                TransactionDBOptions transactions = new TransactionDBOptions();
                TransactionDB database = TransactionDB.open(options, transactions, metadata.toString());
                WriteOptions durably = new WriteOptions().setSync(true);
                RocksIterator entries = database.newIterator()) {
            for (entries.seek(new byte[] {'/'}); entries.isValid(); entries.next()) {
                byte[] value = entries.value();
                boolean isEntry = entries.key()[0] == '/' && value.length > EPHEMERAL_AT
                        && ByteBuffer.wrap(value).getInt() == EPHEMERAL_AT + 1;
                if (isEntry && value[EPHEMERAL_AT] != 0) database.delete(durably, entries.key());
            }
        }
    }
}
