// Java's older client, HttpURLConnection. Run as a single file; the key store is a system property.
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

public class UrlConnection {
    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Path.of(arguments[1]))) {
            String[] call = line.split("\t");
            HttpURLConnection connection = (HttpURLConnection) new URL(arguments[0] + call[0]).openConnection();
            connection.setRequestMethod("POST");
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json;charset=utf-8");
            if (!call[1].equals("-")) {
                connection.setRequestProperty("Authorization", call[1]);
            }
            try (OutputStream out = connection.getOutputStream()) {
                out.write(call[2].getBytes(StandardCharsets.UTF_8));
            }
            int status = connection.getResponseCode();
            try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                System.out.println(status + "\t" + new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\n", " "));
            }
        }
    }
}
