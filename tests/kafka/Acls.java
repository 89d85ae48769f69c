import java.io.BufferedReader;
import java.io.InputStreamReader;

/** Kafka's own `kafka-acls`, once for each line of standard input, in one Java: a line is its arguments. */
public class Acls {
    public static void main(String[] common) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in)).lines().toList();
        for (String line : lines) {
            var words = new java.util.ArrayList<>(java.util.List.of(common));
            words.addAll(java.util.List.of(line.trim().split(" +")));
            org.apache.kafka.tools.AclCommand.main(words.toArray(String[]::new));
        }
    }
}
