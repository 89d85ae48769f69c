/*
 * A municipality's consumer in Java: keeps the newest picture of each case as a file, works once on each change.
 *
 *     javac -cp 'jars/*' -d classes Consumer.java
 *     java -cp 'classes:jars/*' Consumer HOST:PORT 2380 FOLDER
 *
 * Begins with the snapshot on losus.2380.cases, then follows losus.2380.events from where the snapshot began.
 * FOLDER/cases/ID.json is {"revision", "handled", "missed", "picture"}; FOLDER/positions.json says how far
 * it has come and is written after the cases are. Killed in between, it reads some records again and knows
 * them by their revision. Where your work is done in a database, store both in one transaction instead.
 */

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class Consumer {
    private static final Set<String> KNOWN_TYPES =
            Set.of("se.losus.case.changed.v1", "se.losus.case.deadline.v1");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration WAIT = Duration.ofMillis(500);

    private final String kafka;
    private final String events;
    private final String cases;
    private final String group;
    private final Path folder;
    private final Path positions;

    private Consumer(String kafka, String municipality, Path folder) throws IOException {
        this.kafka = kafka;
        this.events = "losus." + municipality + ".events";
        this.cases = "losus." + municipality + ".cases";
        this.group = "losus." + municipality + ".cases"; // groups that may be yours begin so
        this.folder = Files.createDirectories(folder.resolve("cases"));
        this.positions = folder.resolve("positions.json");
    }

    public static void main(String[] given) throws IOException {
        new Consumer(given[0], given[1], Path.of(given[2])).run();
    }

    /** Begins where it stopped; with the snapshot where there is nothing yet, or what it has is no use. */
    private void run() throws IOException {
        while (true) {
            if (!Files.exists(positions)) {
                bootstrap();
            }
            try {
                follow();
            } catch (OffsetOutOfRangeException tooOld) {
                // it was away for longer than the topic keeps its records
            }
            Files.delete(positions);
        }
    }

    private KafkaConsumer<String, String> consumer() {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", kafka,
                "group.id", group,
                "isolation.level", "read_committed",
                "auto.offset.reset", "none", // never skip silently
                "enable.auto.commit", "false");
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    /** Takes in the snapshot, and sets out from where it began. */
    private void bootstrap() throws IOException {
        try (KafkaConsumer<String, String> reader = consumer()) {
            // First where .events ends, then where .cases ends: what comes in between is in both.
            Map<TopicPartition, Long> begin = reader.endOffsets(partitions(reader, events));
            List<TopicPartition> here = partitions(reader, cases);
            Map<TopicPartition, Long> ends = reader.endOffsets(here);
            reader.assign(here);
            reader.seekToBeginning(here);
            Map<String, String> newest = new HashMap<>();
            while (here.stream().anyMatch(place -> reader.position(place) < ends.get(place))) {
                for (ConsumerRecord<String, String> record : reader.poll(WAIT)) {
                    newest.put(record.key(), record.value()); // null: a tombstone
                }
            }
            newest.values().removeIf(value -> value == null);
            for (Map.Entry<String, String> one : newest.entrySet()) {
                take(one.getKey(), JSON.readTree(one.getValue()));
            }
            forgetAllBut(newest.keySet());
            store(begin);
        }
    }

    private static List<TopicPartition> partitions(KafkaConsumer<String, String> reader, String topic) {
        return reader.partitionsFor(topic).stream()
                .map(one -> new TopicPartition(topic, one.partition()))
                .toList();
    }

    /** Follows .events from the stored positions; ends where the topic has more partitions by now. */
    private void follow() throws IOException {
        Map<TopicPartition, Long> next = stored();
        try (KafkaConsumer<String, String> consumer = consumer()) {
            consumer.assign(next.keySet());
            next.forEach(consumer::seek);
            while (consumer.partitionsFor(events).size() <= next.size()) {
                ConsumerRecords<String, String> records = consumer.poll(WAIT);
                for (ConsumerRecord<String, String> record : records) {
                    Header type = record.headers().lastHeader("ce_type");
                    if (type != null && KNOWN_TYPES.contains(new String(type.value(), StandardCharsets.UTF_8))) {
                        take(record.key(), JSON.readTree(record.value()));
                    }
                    next.put(new TopicPartition(events, record.partition()), record.offset() + 1);
                }
                if (!records.isEmpty()) { // the work is stored: now, and only now, say how far we are
                    store(next);
                    Map<TopicPartition, OffsetAndMetadata> told = new HashMap<>();
                    next.forEach((place, offset) -> told.put(place, new OffsetAndMetadata(offset)));
                    consumer.commitSync(told); // for those who watch lag
                }
            }
        }
    }

    /** Takes in one picture: once for each revision, the newest wins, a gap is written down. */
    private void take(String caseId, JsonNode picture) throws IOException {
        Path file = folder.resolve(caseId + ".json");
        boolean isKnown = Files.exists(file);
        ObjectNode known = isKnown ? (ObjectNode) JSON.readTree(file.toFile()) : JSON.createObjectNode();
        int revision = picture.get("revision").asInt();
        int before = isKnown ? known.get("revision").asInt() : revision - 1;
        if (revision <= before) {
            return; // a repeat, or older than what we have
        }
        for (int missing = before + 1; missing < revision; missing++) {
            // The picture is whole, so we go on. Who needs every step asks the region for
            // `losus republish MUNICIPALITY --case ID`, or begins anew with an empty folder.
            known.withArray("missed").add(missing);
        }
        known.put("revision", revision);
        known.put("handled", known.path("handled").asInt() + 1);
        known.set("picture", picture.get("moved").asBoolean() ? null : picture);
        write(file, known);
    }

    /** After a snapshot: what is not in it is no longer ours; the revision alone is remembered. */
    private void forgetAllBut(Set<String> present) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.filter(one -> one.toString().endsWith(".json")).toList()) {
                if (!present.contains(file.getFileName().toString().replace(".json", ""))) {
                    ObjectNode known = (ObjectNode) JSON.readTree(file.toFile());
                    known.putNull("picture");
                    write(file, known);
                }
            }
        }
    }

    private void store(Map<TopicPartition, Long> next) throws IOException {
        ObjectNode told = JSON.createObjectNode();
        next.forEach((place, offset) -> told.put(Integer.toString(place.partition()), offset));
        write(positions, told);
    }

    private Map<TopicPartition, Long> stored() throws IOException {
        Map<TopicPartition, Long> next = new HashMap<>();
        JSON.readTree(positions.toFile()).properties().forEach(one ->
                next.put(new TopicPartition(events, Integer.parseInt(one.getKey())), one.getValue().asLong()));
        return next;
    }

    /** Writes a file whole or not at all. */
    private static void write(Path file, JsonNode value) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + ".draft");
        JSON.writeValue(draft.toFile(), value);
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
